// Draws a page of the handbook. Only the elements it is made of are drawn.
import { Link } from "@tanstack/react-router";
import { createElement, type ReactNode } from "react";
import type { Part } from "./manual";

const TAGS = new Set(
  "blockquote br code del em h1 h2 h3 h4 hr li ol p pre span strong table tbody td th thead tr ul".split(" "),
);

export function Parts({ parts }: { parts: readonly Part[] }): ReactNode {
  return parts.map(draw);
}

/** The parts of a page never change places: their number is their key. */
function draw(part: Part, index: number): ReactNode {
  if (typeof part === "string") return part;
  const [tag, attributes, ...children] = part;
  const key = String(index);
  const inner = children.length === 0 ? undefined : children.map(draw);
  if (tag === "a") return createElement(Anchor, { key, href: attributes?.href ?? "" }, inner);
  return TAGS.has(tag) ? createElement(tag, { ...attributes, key }, inner) : null;
}

/** What lies elsewhere is named and not led to: this page works without any network. */
function Anchor({ href, children }: { href: string; children?: ReactNode }) {
  if (!href.startsWith("/help/"))
    return (
      <span>
        {children} <code>{href}</code>
      </span>
    );
  const [name, id] = href.slice("/help/".length).split("#");
  return (
    <Link to="/help/$" params={{ _splat: name ?? "" }} hash={id ?? ""}>
      {children}
    </Link>
  );
}
