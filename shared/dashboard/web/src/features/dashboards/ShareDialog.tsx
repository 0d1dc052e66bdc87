// Ways to show a dashboard to others: a link to this moment, a file, or an audience.
import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useId, useRef, useState } from "react";
import { changeDashboard, exportPath } from "../../api/dashboards";
import { useLoggedIn } from "../../session/access";
import { Modal } from "../../shell/Modal";
import { Failure } from "../../shell/Notice";
import { writeMode } from "../../time/mode";
import { useTimeNow } from "../../time/useTime";
import type { Dashboard, DashboardAudience } from "../../types";
import { newActId } from "../alarms/alarm";
import { AUDIENCES } from "./names";
import { audienceRefusal } from "./rights";

interface Props {
  mission: string;
  dashboard: Dashboard;
  onChanged: (dashboard: Dashboard) => void;
  onClose: () => void;
}

export function ShareDialog({ mission, dashboard, onChanged, onClose }: Props) {
  const { session } = useLoggedIn();
  const router = useRouter();
  const timeNow = useTimeNow();
  const [link] = useState(() => {
    const { from, to } = timeNow().window;
    const t = writeMode({ kind: "fixed", from: Math.round(from), to: Math.round(to) });
    const { href } = router.buildLocation({
      to: "/m/$mission/d/$dashboard",
      params: { mission, dashboard: dashboard.id },
      search: { t },
    });
    return new URL(href, window.location.href).href;
  });
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const [said, setSaid] = useState("");
  const refusal = audienceRefusal(session, dashboard);
  const publish = useMutation({
    mutationFn: (audience: DashboardAudience) =>
      changeDashboard(mission, dashboard.id, { id: newActId(), base: dashboard.heads, audience }),
    onSuccess: onChanged,
  });
  const copy = () => {
    field.current?.select();
    // Pages without TLS have no clipboard: then the link is selected, and Ctrl C copies it.
    const clipboard = navigator.clipboard as Clipboard | undefined;
    if (clipboard === undefined) setSaid("The link is selected: copy it with Ctrl C.");
    else
      clipboard.writeText(link).then(
        () => setSaid("The link was copied."),
        () => setSaid("The link is selected: copy it with Ctrl C."),
      );
  };
  return (
    <Modal title="Share" onClose={onClose}>
      <div className="field share-link">
        <label htmlFor={id}>Link to this moment</label>
        <input
          id={id}
          ref={field}
          type="text"
          readOnly
          value={link}
          onFocus={(event) => event.target.select()}
        />
        <button type="button" onClick={copy}>
          Copy
        </button>
      </div>
      <p className="faint" role="status">
        {said}
      </p>
      <p>
        <a href={exportPath(mission, dashboard.id)} download={`${dashboard.id}.dashboard.json`}>
          Export as a file
        </a>{" "}
        <span className="faint">which another mission or server takes as a new dashboard</span>
      </p>
      <fieldset className="audience">
        <legend>Seen by</legend>
        {Object.entries(AUDIENCES).map(([value, label]) => (
          <label key={value} title={refusal ?? undefined}>
            <input
              type="radio"
              name="audience"
              value={value}
              checked={(publish.isPending ? publish.variables : dashboard.audience) === value}
              aria-disabled={refusal !== null}
              onChange={() => (refusal === null ? publish.mutate(value as DashboardAudience) : undefined)}
            />
            {label}
          </label>
        ))}
        {refusal === null ? null : <p className="faint">{refusal}</p>}
      </fieldset>
      {publish.isError ? <Failure error={publish.error} /> : null}
      <p className="modal-acts">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Modal>
  );
}
