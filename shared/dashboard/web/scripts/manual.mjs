// The handbook (docs/, an mdBook) for the dashboard: pages as trees of elements, and the text to search in. Made when
// the dashboard is built, so that help is at hand without any network and without inline scripts.
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { marked } from "marked";

const DOCS = join(dirname(fileURLToPath(import.meta.url)), "../../../../docs");

/** Files by name: `index.json`, `search.json` and one for each page. */
export function manual(docs = DOCS) {
  const summary = readFileSync(join(docs, "SUMMARY.md"), "utf8");
  const parts = readSummary(summary);
  const files = new Map();
  const search = [];
  for (const page of parts.flatMap(({ pages }) => pages)) {
    const text = readFileSync(join(docs, `${page.name}.md`), "utf8");
    const made = makePage(page.name, text);
    files.set(`${page.name}.json`, made.tree);
    search.push(...made.sections.map((section) => ({ page: page.name, title: page.title, ...section })));
  }
  files.set("index.json", parts);
  files.set("search.json", search);
  return files;
}

/** Parts of the book with their pages, as `SUMMARY.md` lists them. */
export function readSummary(text) {
  const parts = [{ title: "", pages: [] }];
  for (const line of text.split("\n").slice(1)) {
    const part = /^# (.+)$/.exec(line);
    if (part) parts.push({ title: part[1], pages: [] });
    const page = /^(\s*)(?:- )?\[(.+)\]\((.+)\.md\)$/.exec(line);
    if (page) parts.at(-1).pages.push({ name: page[3], title: page[2], depth: page[1].length > 0 ? 1 : 0 });
  }
  return parts.filter(({ pages }) => pages.length > 0);
}

/** A page's elements as `[tag, attributes, ...children]`, and its sections' plain text. */
export function makePage(name, text) {
  const ids = new Map();
  const sections = [];
  const tree = marked.lexer(text).flatMap((token) => {
    if (token.type === "heading") {
      const id = idOf(token.text, ids);
      sections.push({ id, heading: plain(token.tokens), text: "" });
      return [[`h${token.depth}`, { id }, ...inline(token.tokens, name)]];
    }
    const section = sections.at(-1);
    if (section) section.text += `${plain([token])} `;
    return block(token, name);
  });
  return {
    tree,
    sections: sections.map((section) => ({ ...section, text: section.text.replace(/\s+/g, " ").trim() })),
  };
}

/** As mdBook makes them, so that links into pages work in both. */
function idOf(heading, ids) {
  const id = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
  const times = ids.get(id) ?? 0;
  ids.set(id, times + 1);
  return times === 0 ? id : `${id}-${times}`;
}

function block(token, page) {
  switch (token.type) {
    case "space":
      return [];
    case "paragraph":
      return [["p", null, ...inline(token.tokens, page)]];
    case "text":
      return token.tokens ? inline(token.tokens, page) : [token.text];
    case "code":
      return [["pre", null, ["code", null, token.text]]];
    case "blockquote":
      return [["blockquote", null, ...token.tokens.flatMap((inner) => block(inner, page))]];
    case "hr":
      return [["hr", null]];
    case "list":
      return [
        [
          token.ordered ? "ol" : "ul",
          null,
          ...token.items.map((item) => ["li", null, ...item.tokens.flatMap((inner) => block(inner, page))]),
        ],
      ];
    case "table":
      return [
        [
          "table",
          null,
          [
            "thead",
            null,
            [
              "tr",
              null,
              ...token.header.map((cell) => ["th", { scope: "col" }, ...inline(cell.tokens, page)]),
            ],
          ],
          [
            "tbody",
            null,
            ...token.rows.map((row) => [
              "tr",
              null,
              ...row.map((cell) => ["td", null, ...inline(cell.tokens, page)]),
            ]),
          ],
        ],
      ];
    default:
      throw new Error(`${page}.md: the handbook has no place for ${token.type}: ${token.raw}`);
  }
}

function inline(tokens, page) {
  return tokens.flatMap((token) => {
    switch (token.type) {
      case "text":
        return token.tokens ? inline(token.tokens, page) : [unescaped(token.text)];
      case "escape":
        return [token.text];
      case "codespan":
        return [["code", null, unescaped(token.text)]];
      case "strong":
      case "em":
      case "del":
        return [[token.type, null, ...inline(token.tokens, page)]];
      case "br":
        return [["br", null]];
      case "link":
        return [["a", { href: target(token.href, page) }, ...inline(token.tokens, page)]];
      case "html": {
        // Places that other pages link to; nothing else of HTML is taken.
        const anchor = /^<a id="([\w-]+)">$/.exec(token.raw);
        if (anchor) return [["span", { id: anchor[1] }]];
        if (token.raw === "</a>") return [];
        throw new Error(`${page}.md: the handbook has no place for ${token.raw}`);
      }
      case "image":
        return [["em", null, token.text]];
      default:
        throw new Error(`${page}.md: the handbook has no place for ${token.type}: ${token.raw}`);
    }
  });
}

/** `page#id` of the book, or an address elsewhere, which stays as it is. */
function target(href, page) {
  if (/^[a-z]+:/.test(href)) return href;
  const [path, id] = href.split("#");
  const name =
    path === "" ? page : posix.normalize(posix.join(posix.dirname(page), path)).replace(/\.md$/, "");
  return `/help/${name}${id ? `#${id}` : ""}`;
}

function plain(tokens) {
  return tokens
    .map((token) => {
      if (token.type === "table")
        return [...token.header, ...token.rows.flat()].map((cell) => plain(cell.tokens)).join(" ");
      if (token.type === "list") return token.items.map((item) => plain(item.tokens)).join(" ");
      return token.tokens ? plain(token.tokens) : unescaped(token.text ?? "");
    })
    .join("");
}

function unescaped(text) {
  return text
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, "&");
}

/** Serves the handbook while developing and writes it into the bundle, under `/manual/`. */
export function manualPlugin() {
  return {
    name: "manual",
    configureServer(server) {
      server.middlewares.use("/manual", (request, response, next) => {
        const file = manual().get(decodeURIComponent(request.url.slice(1).split("?")[0]));
        if (file === undefined) return next();
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(file));
      });
    },
    generateBundle() {
      for (const [name, content] of manual())
        this.emitFile({ type: "asset", fileName: `manual/${name}`, source: JSON.stringify(content) });
    },
  };
}
