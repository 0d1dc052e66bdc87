// A parameter by its whole path, which opens something about it. Of a long path its end is what tells.
import "./path.css";

interface Props {
  path: string;
  isPressed: boolean;
  onPress: () => void;
}

export function PathButton({ path, isPressed, onPress }: Props) {
  const end = path.lastIndexOf("/") + 1;
  return (
    <button type="button" className="path" aria-pressed={isPressed} onClick={onPress}>
      <bdi>
        <span className="faint folder">{path.slice(0, end)}</span>
        <span className="leaf">{path.slice(end)}</span>
      </bdi>
    </button>
  );
}
