// The trained models that judge a mission's telemetry.
import { dateAndTime, parseTime } from "../../format/time";
import type { DetectionModel } from "../../types";

/** Names that are listed; the others are counted. */
const LISTED = 3;

export function Models({ models }: { models: readonly DetectionModel[] }) {
  return (
    <div className="panel scroll-x">
      <table className="grid" aria-label="Detection models in force">
        <caption>Detection models in force</caption>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Parameters</th>
            <th scope="col">Trained (UTC)</th>
            <th scope="col">On</th>
          </tr>
        </thead>
        <tbody>
          {models.length === 0 ? (
            <tr>
              <td colSpan={4} className="faint">
                None: detectors learn as they go, and limits count.
              </td>
            </tr>
          ) : null}
          {models.map((model) => (
            <tr key={`${model.kind} ${model.number}`}>
              <th scope="row">
                {model.kind} {model.number}
              </th>
              <td title={model.parameters.join("\n")}>
                <bdi>{model.parameters.slice(0, LISTED).join(", ")}</bdi>
                {model.parameters.length > LISTED ? ` and ${model.parameters.length - LISTED} more` : ""}
              </td>
              <td>{dateAndTime(parseTime(model.trained_at))}</td>
              <td title={model.trained_on}>
                <bdi>{model.trained_on}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
