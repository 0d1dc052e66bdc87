// Stands in a widget's place while what it shows is on its way, or did not come: an empty one would say there is nothing.
import { Failure, Loading } from "../../../shell/Notice";
import type { Descriptions } from "./useDescriptions";

export function Unanswered({ error, retry }: Pick<Descriptions, "error" | "retry">) {
  return error === null ? <Loading what="parameters" /> : <Failure error={error} onRetry={retry} />;
}

export function isUnanswered({ error, pending }: Pick<Descriptions, "error" | "pending">): boolean {
  return pending || error !== null;
}
