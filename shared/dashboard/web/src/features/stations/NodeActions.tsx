// What can be done to a station: where its site is, for which missions it may send, and that it may no more.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { placesQuery, revokeNode, type SitePlace, setNodeMissions, setPlace } from "../../api/fleet";
import { useRefusal } from "../../session/access";
import { Failure } from "../../shell/Notice";
import { ActButton } from "../admin/ActButton";
import { FormDialog } from "../admin/FormDialog";
import { MissionsField, missionsText } from "../admin/MissionsField";
import type { TabProps } from "./NodePage";
import { PlaceDialog } from "./PlaceDialog";

export function NodeActions({ node, detail }: TabProps) {
  const refusal = useRefusal("administer");
  const [open, setOpen] = useState<"missions" | "place" | "revoke" | null>(null);
  const close = () => setOpen(null);
  const sites = useQuery(placesQuery);
  const place = sites.data?.sites.find((site) => site.site === node.site)?.place ?? null;
  const revoked = node.state === "revoked" ? "Its right to forward was withdrawn already." : null;
  const builtIn = detail?.is_built_in ? "It is the hub's own station: nobody can revoke it." : null;
  return (
    <section className="panel acts-list" aria-label="Actions">
      {refusal === null ? null : <p className="faint">{refusal}</p>}
      <div>
        <h2>Place</h2>
        {sites.data !== undefined ? (
          <p>{place === null ? "Nobody has said where this site is." : placeText(place)}</p>
        ) : sites.isPending ? (
          <p>Not known yet.</p>
        ) : (
          <Failure error={sites.error} onRetry={() => void sites.refetch()} />
        )}
        <ActButton
          text="Set the place"
          refusal={refusal ?? (sites.data === undefined ? "Where it is now is not known yet." : null)}
          onAct={() => setOpen("place")}
        />
      </div>
      <div>
        <h2>Missions</h2>
        <p>{detail === null ? "Not known yet." : `It may send for ${missionsText(detail.missions)}.`}</p>
        <ActButton
          text="Change missions"
          refusal={refusal ?? (detail === null ? "What it may send for is not known yet." : null)}
          onAct={() => setOpen("missions")}
        />
      </div>
      <div>
        <h2>Revoke</h2>
        <p>
          It may forward no more, from now on and for good. What it has stays on its disk, and the hub keeps
          what it has of it. A new enrolment token makes its machine, or another one, this station again.
        </p>
        <ActButton
          text="Revoke this node"
          refusal={refusal ?? builtIn ?? revoked}
          onAct={() => setOpen("revoke")}
        />
      </div>
      {open === "revoke" ? <RevokeDialog name={node.name} onClose={close} /> : null}
      {open === "missions" ? (
        <MissionsDialog name={node.name} missions={detail?.missions ?? null} onClose={close} />
      ) : null}
      {open === "place" ? <PlaceOf site={node.site} place={place} onClose={close} /> : null}
    </section>
  );
}

function placeText({ latitude_deg, longitude_deg, height_m, mask_deg }: SitePlace): string {
  return `Latitude ${latitude_deg}°, longitude ${longitude_deg}°, height ${height_m} m, hears above ${mask_deg}°.`;
}

/** An act on a node: its page and the list are asked for anew, and the dialog closes. */
function useNodeAct<T>(name: string, act: (given: T) => Promise<unknown>, onClose: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: ["node", name] });
      await queries.invalidateQueries({ queryKey: ["nodes"] });
    },
  });
}

function RevokeDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const act = useNodeAct(name, () => revokeNode(name, reason.trim()), onClose);
  const refusal =
    reason.trim() === ""
      ? "Say why; it stands in the hub's events."
      : typed === name
        ? null
        : "Type the node's name as it is written above.";
  return (
    <FormDialog
      title="Revoke the node"
      submit="Revoke"
      refusal={refusal}
      busy={act.isPending}
      error={act.error}
      onSubmit={() => act.mutate(undefined)}
      onClose={onClose}
    >
      <p>
        <strong>
          <bdi>{name}</bdi>
        </strong>{" "}
        may forward no more, at once.
      </p>
      <label>
        Why
        <input value={reason} maxLength={1000} onChange={(event) => setReason(event.target.value)} />
      </label>
      <label>
        The node's name
        <input
          value={typed}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
      </label>
    </FormDialog>
  );
}

interface MissionsProps {
  name: string;
  missions: readonly string[] | null;
  onClose: () => void;
}

function MissionsDialog({ name, missions, onClose }: MissionsProps) {
  const [chosen, setChosen] = useState<string[] | null>(missions === null ? null : [...missions]);
  const act = useNodeAct(name, () => setNodeMissions(name, chosen), onClose);
  return (
    <FormDialog
      title={`Missions of ${name}`}
      submit="Change"
      refusal={null}
      busy={act.isPending}
      error={act.error}
      onSubmit={() => act.mutate(undefined)}
      onClose={onClose}
    >
      <MissionsField
        legend="It may send for"
        all="all missions, also those to come"
        value={chosen}
        onChange={setChosen}
      />
    </FormDialog>
  );
}

function PlaceOf({ site, place, onClose }: { site: string; place: SitePlace | null; onClose: () => void }) {
  const queries = useQueryClient();
  const act = useMutation({
    mutationFn: (next: SitePlace) => setPlace(site, next),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: placesQuery.queryKey });
    },
  });
  return (
    <PlaceDialog
      site={site}
      place={place}
      busy={act.isPending}
      error={act.error}
      onSet={(next) => act.mutate(next)}
      onClose={onClose}
    />
  );
}
