import { expect, test } from "vitest";
import { makePage, manual, readSummary } from "../../../scripts/manual.mjs";
import { searchManual } from "./manual";

test("the contents are those of the summary, in parts", () => {
  const summary =
    "# Summary\n\n[First](first.md)\n\n# Use\n\n- [Second](second.md)\n  - [Third](deep/third.md)\n";
  expect(readSummary(summary)).toEqual([
    { title: "", pages: [{ name: "first", title: "First", depth: 0 }] },
    {
      title: "Use",
      pages: [
        { name: "second", title: "Second", depth: 0 },
        { name: "deep/third", title: "Third", depth: 1 },
      ],
    },
  ]);
});

test("a page is a tree of elements, and its links stay inside the book", () => {
  const { tree, sections } = makePage(
    "deep/third",
    "# A *page*\n\nSee [there](../second.md#x), [here](#y) & `a < b`.\n\n| k | v |\n|---|---|\n| 1 | <b> |\n".replace(
      "<b>",
      "two",
    ),
  );
  expect(tree).toEqual([
    ["h1", { id: "a-page" }, "A ", ["em", null, "page"]],
    [
      "p",
      null,
      "See ",
      ["a", { href: "/help/second#x" }, "there"],
      ", ",
      ["a", { href: "/help/deep/third#y" }, "here"],
      " & ",
      ["code", null, "a < b"],
      ".",
    ],
    [
      "table",
      null,
      ["thead", null, ["tr", null, ["th", { scope: "col" }, "k"], ["th", { scope: "col" }, "v"]]],
      ["tbody", null, ["tr", null, ["td", null, "1"], ["td", null, "two"]]],
    ],
  ]);
  expect(sections).toEqual([{ id: "a-page", heading: "A page", text: "See there, here & a < b. k v 1 two" }]);
});

test("the real handbook is made of nothing that help cannot show, and its links lead somewhere", () => {
  const files = manual();
  const ids = new Map<string, Set<string>>();
  const links: string[] = [];
  const walk = (page: string, part: unknown) => {
    if (!Array.isArray(part)) return;
    const attributes = part[1] as Record<string, string> | null;
    if (attributes?.id) ids.get(page)?.add(attributes.id);
    if (part[0] === "a" && attributes?.href?.startsWith("/help/")) links.push(attributes.href);
    for (const child of part.slice(2)) walk(page, child);
  };
  for (const [name, tree] of files) {
    const page = name.replace(/\.json$/, "");
    ids.set(page, new Set());
    if (page !== "index" && page !== "search") for (const part of tree as unknown[]) walk(page, part);
  }
  const lost = links.filter((link) => {
    const [page = "", id] = link.slice("/help/".length).split("#");
    return !ids.has(page) || (id !== undefined && !ids.get(page)?.has(id));
  });
  // Links into the repository's own files lead out of the book.
  expect(lost.filter((link) => !link.includes(".."))).toEqual([]);
});

test("sections with the words in their heading come first", () => {
  const section = (heading: string, text: string) => ({ page: "p", title: "P", id: heading, heading, text });
  const found = searchManual(
    [section("Other", "about the node"), section("The node", "something"), section("None", "nothing")],
    "node",
  );
  expect(found.map(({ heading }) => heading)).toEqual(["The node", "Other"]);
});
