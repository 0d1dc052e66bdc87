// Asks for which node a token is.
import { useState } from "react";
import type { NewEnrolmentToken } from "../../api/admin";
import { FormDialog } from "./FormDialog";
import { MissionsField } from "./MissionsField";

const HOURS_MAX = 720;
const BYTES_MAX = 64;

interface Props {
  busy: boolean;
  error: unknown;
  onMake: (asked: NewEnrolmentToken) => void;
  onClose: () => void;
}

export function NewEnrolment({ busy, error, onMake, onClose }: Props) {
  const [node, setNode] = useState("");
  const [site, setSite] = useState("");
  const [hours, setHours] = useState("24");
  const [missions, setMissions] = useState<string[] | null>(null);
  const refusal =
    tooLong("The node's name", node) ??
    tooLong("The site", site) ??
    (isWhole(hours, HOURS_MAX) ? null : `It is good for 1 to ${HOURS_MAX} hours.`);
  return (
    <FormDialog
      title="New enrolment token"
      submit="Make the token"
      refusal={refusal}
      busy={busy}
      error={error}
      onSubmit={() => onMake({ node: node.trim(), site: site.trim(), missions, hours: Number(hours) })}
      onClose={onClose}
    >
      <label>
        Node
        <input value={node} autoComplete="off" onChange={(event) => setNode(event.target.value)} />
      </label>
      <p className="faint">A node that is there already gets another machine.</p>
      <label>
        Site
        <input value={site} autoComplete="off" onChange={(event) => setSite(event.target.value)} />
      </label>
      <label>
        Hours it can be used
        <input inputMode="numeric" value={hours} onChange={(event) => setHours(event.target.value)} />
      </label>
      <MissionsField
        legend="The node may send for"
        all="all missions, or those it may send for already"
        value={missions}
        onChange={setMissions}
      />
    </FormDialog>
  );
}

function tooLong(what: string, text: string): string | null {
  const bytes = new TextEncoder().encode(text.trim()).length;
  return bytes >= 1 && bytes <= BYTES_MAX ? null : `${what} has 1 to ${BYTES_MAX} bytes.`;
}

export function isWhole(text: string, max: number): boolean {
  return /^\d+$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= max;
}
