// Finds pages, missions, nodes and parameters by words, from anywhere.
import { useQuery } from "@tanstack/react-query";
import { type LinkProps, useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useMemo, useState } from "react";
import { missionsQuery, parametersQuery } from "../api/queries";
import { matching } from "../features/parameters/search";
import { useNodes } from "../live/hooks";
import { Modal } from "./Modal";
import { useCurrentMission } from "./mission";

const FOUND_MAX = 50;

interface Found {
  key: string;
  kind: string;
  text: string;
  link: LinkProps;
}

export function Search({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [words, setWords] = useState("");
  const [chosen, setChosen] = useState(0);
  const found = useFound(words);
  const at = Math.min(chosen, found.length - 1);

  const open = (one: Found | undefined) => {
    if (one === undefined) return;
    onClose();
    void navigate(one.link as Parameters<typeof navigate>[0]);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter") open(found[at]);
    else if (event.key === "ArrowDown") setChosen(Math.min(found.length - 1, at + 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(0, at - 1));
    else return;
    event.preventDefault();
  };
  return (
    <Modal title="Search" titleHidden className="search" onClose={onClose}>
      <input
        type="search"
        role="combobox"
        aria-label="Search everything"
        aria-expanded={found.length > 0}
        aria-controls="search-found"
        aria-activedescendant={found.length > 0 ? `search-${at}` : undefined}
        placeholder="Pages, missions, nodes, parameters"
        value={words}
        onChange={(event) => {
          setWords(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKey}
      />
      <div id="search-found" role="listbox" aria-label="Found">
        {found.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above takes the keys of the list.
          // biome-ignore lint/a11y/useFocusableInteractive: the field keeps the focus and names the chosen one.
          <div
            key={one.key}
            id={`search-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => open(one)}
          >
            <span className="faint">{one.kind}</span> <bdi>{one.text}</bdi>
          </div>
        ))}
      </div>
      {words.trim() !== "" && found.length === 0 ? (
        <p className="faint">Nothing of this name is known.</p>
      ) : null}
      <p className="faint">↑ ↓ choose, Enter opens, Esc closes.</p>
    </Modal>
  );
}

const PAGES: readonly [text: string, to: NonNullable<LinkProps["to"]>, ofMission: boolean][] = [
  ["Overview", "/", false],
  ["Fleet map and status matrix", "/fleet", false],
  ["Nodes", "/nodes", false],
  ["Administration", "/admin", false],
  ["Help: the handbook", "/help/$", false],
  ["Dashboards", "/m/$mission/d", true],
  ["Parameters", "/m/$mission/parameters", true],
  ["Alarms", "/m/$mission/alarms", true],
  ["Explore", "/m/$mission/explore", true],
  ["Completeness", "/m/$mission/data", true],
  ["Events", "/m/$mission/events", true],
  ["Limits", "/m/$mission/limits", true],
  ["Packets", "/m/$mission/packets", true],
  ["Passes", "/m/$mission/passes", true],
  ["Orbit", "/m/$mission/orbit", true],
];

function useFound(words: string): Found[] {
  const mission = useCurrentMission();
  const missions = useQuery(missionsQuery);
  const parameters = useQuery({ ...parametersQuery(mission ?? ""), enabled: mission !== null });
  const nodes = useNodes();
  return useMemo(() => {
    const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
    if (parts.length === 0) return [];
    const fits = (text: string) => parts.every((part) => text.toLowerCase().includes(part));
    const pages = PAGES.flatMap(([text, to, ofMission]): Found[] => {
      if (!fits(text) || (ofMission && mission === null)) return [];
      const link = (
        ofMission ? { to, params: { mission } } : { to, params: { _splat: "introduction" } }
      ) as LinkProps;
      return [{ key: to, kind: "page", text, link }];
    });
    const ofMissions = (missions.data ?? []).flatMap(({ name, title }): Found[] =>
      fits(`${name} ${title}`)
        ? [
            {
              key: `m ${name}`,
              kind: "mission",
              text: `${name} · ${title}`,
              link: { to: "/m/$mission/parameters", params: { mission: name } },
            },
          ]
        : [],
    );
    const ofNodes = (nodes ?? []).flatMap(({ name, site }): Found[] =>
      fits(`${name} ${site}`)
        ? [
            {
              key: `n ${name}`,
              kind: "node",
              text: `${site} · ${name}`,
              link: { to: "/nodes/$node", params: { node: name } },
            },
          ]
        : [],
    );
    const ofParameters = matching(parameters.data ?? [], words)
      .slice(0, FOUND_MAX)
      .map(
        ({ name }): Found => ({
          key: `p ${name}`,
          kind: "parameter",
          text: name,
          link: {
            to: "/m/$mission/explore",
            params: { mission: mission ?? "" },
            search: { p: [name] },
          } as LinkProps,
        }),
      );
    return [...pages, ...ofMissions, ...ofNodes, ...ofParameters].slice(0, FOUND_MAX);
  }, [words, mission, missions.data, parameters.data, nodes]);
}
