// A moment with how far away it is.
import { dateAndTime, parseTime, wholeDuration } from "../../format/time";
import { useFrame } from "../../live/hooks";

/** `absent` is said where there is none. */
export function Moment({ at, absent = "not known" }: { at: string | null | undefined; absent?: string }) {
  const { serverNow } = useFrame();
  if (!at) return <span className="faint">{absent}</span>;
  const ms = parseTime(at);
  const distance = wholeDuration(Math.abs(ms - serverNow));
  return (
    <time dateTime={at}>
      {dateAndTime(ms)} <span className="faint">{ms > serverNow ? `in ${distance}` : `${distance} ago`}</span>
    </time>
  );
}
