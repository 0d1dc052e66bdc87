// What changed between two texts, line by line.

export interface DiffLine {
  kind: "added" | "kept" | "removed";
  text: string;
  /** Line numbers from 1, where the line is there. */
  before: number | null;
  after: number | null;
}

/** More cells than this are not compared: then all of the part that differs counts as replaced. */
const CELLS_MAX = 4_000_000;

export function lineDiff(before: string, after: string): DiffLine[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < now.length - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  )
    tail += 1;
  const lines: DiffLine[] = [];
  let [a, b] = [0, 0];
  const keep = () => {
    lines.push({ kind: "kept", text: old[a] ?? "", before: a + 1, after: b + 1 });
    a += 1;
    b += 1;
  };
  const remove = () => {
    lines.push({ kind: "removed", text: old[a] ?? "", before: a + 1, after: null });
    a += 1;
  };
  const add = () => {
    lines.push({ kind: "added", text: now[b] ?? "", before: null, after: b + 1 });
    b += 1;
  };
  while (a < head) keep();
  const [oldEnd, nowEnd] = [old.length - tail, now.length - tail];
  const common = commonLengths(old.slice(head, oldEnd), now.slice(head, nowEnd));
  while (a < oldEnd || b < nowEnd) {
    const [i, j] = [a - head, b - head];
    if (a < oldEnd && b < nowEnd && common !== null && old[a] === now[b]) keep();
    else if (a < oldEnd && (b >= nowEnd || common === null || at(common, i + 1, j) >= at(common, i, j + 1)))
      remove();
    else add();
  }
  while (a < old.length) keep();
  return lines;
}

/** Length of the longest common sequence behind each pair of positions; `null` when that would be too much. */
function commonLengths(old: readonly string[], now: readonly string[]): Uint32Array[] | null {
  if (old.length * now.length > CELLS_MAX) return null;
  const rows = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1) {
      const row = rows[i];
      if (row !== undefined)
        row[j] =
          old[i] === now[j] ? at(rows, i + 1, j + 1) + 1 : Math.max(at(rows, i + 1, j), at(rows, i, j + 1));
    }
  return rows;
}

function at(rows: readonly Uint32Array[], i: number, j: number): number {
  return rows[i]?.[j] ?? 0;
}

/** Lines around changes; `null` stands for lines that are left out. */
export function withContext(lines: readonly DiffLine[], around: number): (DiffLine | null)[] {
  const near = new Set<number>();
  lines.forEach((line, index) => {
    if (line.kind === "kept") return;
    for (let n = index - around; n <= index + around; n += 1) near.add(n);
  });
  return lines.flatMap((line, index) =>
    near.has(index) ? [line] : near.has(index - 1) || index === 0 ? [null] : [],
  );
}
