// One named value of a station.
export function Metric({
  label,
  value,
  unit,
  title,
}: {
  label: string;
  value: string;
  unit?: string;
  title?: string | undefined;
}) {
  return (
    <div title={title}>
      <dt>{label}</dt>
      <dd>
        {value} {unit === undefined ? null : <span className="faint">{unit}</span>}
      </dd>
    </div>
  );
}
