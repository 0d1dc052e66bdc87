// Lets the user choose the colours.
import { THEMES, type Theme, useTheme } from "./theme";

const NAMES: Record<Theme, string> = {
  contrast: "High contrast",
  dark: "Dark",
  light: "Light",
  system: "As system",
};

export function ThemeSwitch() {
  const { theme, choose } = useTheme();
  return (
    <label className="field compact">
      <span className="visually-hidden">Colours</span>
      <select value={theme} onChange={(event) => choose(event.target.value as Theme)}>
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {NAMES[name]}
          </option>
        ))}
      </select>
    </label>
  );
}
