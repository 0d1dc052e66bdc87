// A document as text, with line numbers and a mark at each line that something is said of.
import { type Ref, useImperativeHandle, useRef } from "react";

export interface TextEditorHandle {
  /** Puts the cursor there; both counted from 1. */
  goTo: (line: number, column: number) => void;
}

interface Props {
  label: string;
  text: string;
  marked: ReadonlySet<number>;
  readOnly: boolean;
  onText: (text: string) => void;
  ref?: Ref<TextEditorHandle>;
}

export function TextEditor({ label, text, marked, readOnly, onText, ref }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLPreElement>(null);
  useImperativeHandle(ref, () => ({
    goTo: (line, column) => {
      const element = area.current;
      if (element === null) return;
      const lines = element.value.split("\n");
      const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + column - 1;
      element.focus();
      element.setSelectionRange(start, start);
      element.scrollTop = ((line - 4) * element.scrollHeight) / Math.max(1, lines.length);
    },
  }));
  const numbers = text
    .split("\n")
    .map((_, index) => `${marked.has(index + 1) ? "◆ " : ""}${index + 1}`)
    .join("\n");
  return (
    <div className="text-editor">
      <pre ref={gutter} aria-hidden="true">
        {numbers}
      </pre>
      <textarea
        ref={area}
        aria-label={label}
        value={text}
        readOnly={readOnly}
        spellCheck={false}
        wrap="off"
        onChange={(event) => onText(event.target.value)}
        onScroll={(event) => {
          if (gutter.current !== null) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }}
      />
    </div>
  );
}
