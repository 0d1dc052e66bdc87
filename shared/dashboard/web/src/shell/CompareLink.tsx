// Shows what a version of a document changed, or hides it again.
import { Link } from "@tanstack/react-router";

interface Props {
  before: number;
  version: number;
  isCompared: boolean;
  text: string;
}

export function CompareLink({ before, version, isCompared, text }: Props) {
  const [from, to] = isCompared ? [undefined, undefined] : [before, version];
  return (
    <Link to="." search={(old: object) => ({ ...old, from, to })} aria-current={isCompared}>
      {isCompared ? "Hide" : text}
    </Link>
  );
}
