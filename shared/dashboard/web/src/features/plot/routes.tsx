// The plot of one parameter, as other pages and old links ask for it, is a page of Explore.
import { createRoute, redirect } from "@tanstack/react-router";
import { parseTime } from "../../format/time";
import { root } from "../../shell/root";
import { SPAN_MS, SPANS, writeMode } from "../../time/mode";

interface PlotSearch {
  parameter: string;
  /** Length of what is shown, in links from before the time stood in the address of every page. */
  range?: string;
  /** RFC 3339 end of what such a link shows; absent follows the present. */
  end?: string;
}

const plot = createRoute({
  getParentRoute: () => root,
  path: "/m/$mission/p",
  validateSearch: (search: Record<string, unknown>): PlotSearch => ({
    parameter: String(search.parameter ?? ""),
    ...(search.range === undefined ? {} : { range: String(search.range) }),
    ...(search.end === undefined ? {} : { end: String(search.end) }),
  }),
  beforeLoad: ({ params, search }) => {
    const t = search.t ?? timeOf(search);
    throw redirect({
      to: "/m/$mission/explore",
      params,
      search: { p: [search.parameter], ...(t === undefined ? {} : { t }) },
      replace: true,
    });
  },
});

function timeOf({ range, end }: PlotSearch): string | undefined {
  const span = SPANS.find((name) => name === range);
  const to = parseTime(end ?? "");
  if (span === undefined) return undefined;
  if (Number.isNaN(to)) return writeMode({ kind: "live", span });
  return writeMode({ kind: "fixed", from: to - SPAN_MS[span], to });
}

export const plotRoutes = [plot] as const;
