import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { root } from "../../shell/root";

export interface PacketsSearch {
  apid?: number;
  node?: string;
  link?: string;
  /** Only packets in quarantine. */
  quarantined?: true;
  /** The packet that is taken apart. */
  packet?: string;
}

const APID_MAX = 2047;

const packets = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/packets",
  validateSearch: (search: Record<string, unknown>): PacketsSearch => {
    const apid = Number.parseInt(String(search.apid), 10);
    return {
      ...(apid >= 0 && apid <= APID_MAX ? { apid } : {}),
      ...text("node", search.node),
      ...text("link", search.link),
      ...(search.quarantined === true ? { quarantined: true } : {}),
      ...text("packet", search.packet),
    };
  },
  component: lazyRouteComponent(() => import("./PacketsPage"), "PacketsPage"),
});

function text<Name extends string>(name: Name, value: unknown): { [key in Name]?: string } {
  return value === undefined || value === "" ? {} : ({ [name]: String(value) } as { [key in Name]: string });
}

export const packetsRoutes = [packets] as const;
