// Which colours are used: chosen here, or as the system prefers. Remembered in this browser only.
import { create } from "zustand";

export const THEMES = ["system", "dark", "light", "contrast"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "sto-theme";

export interface ThemeState {
  theme: Theme;
  choose: (theme: Theme) => void;
}

export const useTheme = create<ThemeState>((set) => ({
  theme: remembered(),
  choose: (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    set({ theme });
  },
}));

export interface Preferences {
  light: boolean;
  moreContrast: boolean;
}

export function resolveTheme(theme: Theme, prefers: Preferences): Exclude<Theme, "system"> {
  if (theme !== "system") return theme;
  if (prefers.moreContrast) return "contrast";
  return prefers.light ? "light" : "dark";
}

/** Keeps `data-theme` on the document as chosen; called once, before the first paint. */
export function applyTheme(): void {
  const light = matchMedia("(prefers-color-scheme: light)");
  const contrast = matchMedia("(prefers-contrast: more)");
  const apply = () => {
    const prefers = { light: light.matches, moreContrast: contrast.matches };
    document.documentElement.dataset.theme = resolveTheme(useTheme.getState().theme, prefers);
  };
  apply();
  useTheme.subscribe(apply);
  light.addEventListener("change", apply);
  contrast.addEventListener("change", apply);
}

function remembered(): Theme {
  try {
    const text = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === text) ?? "system";
  } catch {
    return "system";
  }
}
