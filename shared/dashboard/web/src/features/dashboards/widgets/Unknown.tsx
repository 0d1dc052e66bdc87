// Says which of a widget's parameters the mission's dictionary does not have (any more).

export function Unknown({ mission, names }: { mission: string; names: readonly string[] }) {
  if (names.length === 0) return null;
  const [first, ...others] = names;
  return (
    <p className="faint widget-note" role="note">
      The dictionary of {mission} has no parameter <bdi className="key">{first}</bdi>
      {others.length === 0 ? "" : ` and ${others.length} others of this widget`}.
    </p>
  );
}
