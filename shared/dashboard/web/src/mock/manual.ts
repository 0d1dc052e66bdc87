// A short handbook; the real one is made when the dashboard is built.
import type { MockRoute } from "./answers";

const FILES: Record<string, unknown> = {
  index: [
    { title: "", pages: [{ name: "introduction", title: "Introduction", depth: 0 }] },
    {
      title: "Running it",
      pages: [
        { name: "error-codes", title: "Error codes", depth: 0 },
        { name: "decisions/d01", title: "D1 The raw record", depth: 1 },
      ],
    },
  ],
  introduction: [
    ["h1", { id: "introduction" }, "Introduction"],
    ["p", null, "Read ", ["a", { href: "/help/error-codes#sto-config" }, "what codes mean"], "."],
    ["script", null, "alert(1)"],
  ],
  "error-codes": [
    ["h1", { id: "error-codes" }, "Error codes"],
    ["h3", { id: "sto-config" }, "STO-CONFIG"],
    ["p", null, "A configuration file says something it must not."],
  ],
  search: [
    {
      page: "introduction",
      title: "Introduction",
      id: "introduction",
      heading: "Introduction",
      text: "Read.",
    },
    {
      page: "error-codes",
      title: "Error codes",
      id: "sto-config",
      heading: "STO-CONFIG",
      text: "A configuration file says something it must not.",
    },
  ],
};

export const answerManual: MockRoute = ({ url }) => {
  const name = /^\/manual\/(.+)\.json$/.exec(url.pathname)?.[1];
  if (name === undefined) return null;
  const file = FILES[decodeURIComponent(name)];
  return file === undefined ? new Response(null, { status: 404 }) : Response.json(file);
};
