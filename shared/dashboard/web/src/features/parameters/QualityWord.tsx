// How a value stands to its limits, or why it is no measurement, in a word. Its symbol stands beside it.
import type { Sample } from "../../types";
import { quality } from "./quality";

export function QualityWord({ sample }: { sample: Sample | null }) {
  if (sample === null) return null;
  const { status, word } = quality(sample);
  if (status === null) return <span className="visually-hidden">{word}</span>;
  return <span className={status === "normal" ? "faint" : `state ${status}`}>{word}</span>;
}
