import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SECRET } from "../../mock/admin";
import { advance, openDashboard, settle } from "../../test/app";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const user = () => userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms) });

async function open(section: string, mock: NonNullable<Parameters<typeof openDashboard>[0]>["mock"] = {}) {
  const opened = await openDashboard({ path: `/admin/${section}`, mock });
  await settle();
  return opened;
}

const dialog = () => within(screen.getByRole("dialog"));
const row = (text: string) => {
  const found = screen.getAllByRole("row").find((one) => one.textContent?.includes(text));
  if (found === undefined) throw new Error(`no row has ${text}`);
  return within(found);
};

/** Everywhere a secret could have been left. */
function whereSecretsMustNotBe(): string {
  return [
    document.documentElement.outerHTML,
    ...[...document.querySelectorAll("input, textarea")].map((field) => (field as HTMLInputElement).value),
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
    location.href,
  ].join();
}

test("an enrolment token is made, shown once, and gone when the dialog closes", async () => {
  const { world, router } = await open("nodes");
  await user().click(screen.getByRole("button", { name: "New enrolment token" }));
  await user().type(dialog().getByLabelText("Node"), "troll-1");
  expect(dialog().getByText("The site has 1 to 64 bytes.")).toBeTruthy();
  await user().type(dialog().getByLabelText("Site"), "Troll, Antarctica");
  await user().click(dialog().getByRole("button", { name: "Make the token" }));
  await advance(500);
  const field = screen.getByLabelText<HTMLTextAreaElement>(/^Shown this once/);
  expect(field.value).toContain(`STO1-${SECRET}`);
  await user().click(screen.getByRole("button", { name: "Done, forget it" }));
  await advance(11_000);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(whereSecretsMustNotBe()).not.toContain(SECRET);
  expect(router.state.location.href).not.toContain(SECRET);
  expect(world.requests.some((request) => request.includes(SECRET))).toBe(false);
  expect(row("troll-1").getByText("unused")).toBeTruthy();
});

test("an unused token is ended after a question, a used one cannot be, and says why", async () => {
  await open("nodes");
  await user().click(screen.getByRole("button", { name: "End the token for inuvik-2" }));
  await user().click(dialog().getByRole("button", { name: "End it" }));
  await advance(1000);
  expect(row("inuvik-2").getByText("ended")).toBeTruthy();
  const used = screen.getByRole("button", { name: "End the token for kiruna-1" });
  expect([used.getAttribute("aria-disabled"), used.title]).toEqual(["true", "It is used already."]);
});

test("where a page may not copy, the secret is selected instead", async () => {
  await open("nodes");
  await user().click(screen.getByRole("button", { name: "New enrolment token" }));
  await user().type(dialog().getByLabelText("Node"), "troll-1");
  await user().type(dialog().getByLabelText("Site"), "Troll");
  await user().click(dialog().getByRole("button", { name: "Make the token" }));
  await advance(500);
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new Error("not allowed"));
  screen.getByRole("button", { name: "Copy" }).click();
  await advance(100);
  expect(screen.getByText(/it is selected now/)).toBeTruthy();
});

test("a program's token is made and revoked, and a name that is taken is refused in the dialog", async () => {
  await open("api-tokens");
  await user().click(screen.getByRole("button", { name: "New API token" }));
  await user().type(dialog().getByLabelText("Program"), "grafana");
  await user().click(dialog().getByRole("button", { name: "Make the token" }));
  await advance(500);
  expect(dialog().getByRole("alert").textContent).toContain("The name is taken");
  await user().type(dialog().getByLabelText("Program"), "-2");
  await user().click(dialog().getByRole("button", { name: "Make the token" }));
  await advance(500);
  expect(dialog().getByText(/Whoever has it is viewer of all missions/)).toBeTruthy();
  await user().keyboard("{Escape}");
  await user().click(dialog().getByRole("button", { name: "Done, forget it" }));
  expect(whereSecretsMustNotBe()).not.toContain(SECRET);
  await user().click(screen.getByRole("button", { name: "Revoke the token of grafana" }));
  await user().click(dialog().getByRole("button", { name: "Revoke" }));
  await advance(1000);
  expect(row("aurora-1").getByText("revoked")).toBeTruthy();
});

test("people are listed with their sessions and codes, get codes, and are logged out", async () => {
  await open("people");
  expect(row("tom").getByText("kestrel")).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "New login code" }));
  await user().type(dialog().getByLabelText("Whose it is"), "ada");
  await user().click(dialog().getByLabelText("only these"));
  expect(dialog().getByText("Choose at least one mission, or all.")).toBeTruthy();
  await user().click(dialog().getByLabelText("aurora-1"));
  await user().click(dialog().getByRole("button", { name: "Make the code" }));
  await advance(500);
  expect(screen.getByLabelText<HTMLTextAreaElement>(/^Shown this once/).value).toContain(SECRET);
  await user().click(screen.getByRole("button", { name: "Done, forget it" }));
  await advance(500);
  expect(row("ada").getByText("unused code")).toBeTruthy();
  await user().click(screen.getByRole("button", { name: "End the sessions of tom" }));
  await user().click(dialog().getByRole("button", { name: "End them" }));
  await advance(1000);
  expect(screen.queryByText("tom")).toBeNull();
});

test("missions say what is in force of each", async () => {
  await open("missions");
  expect(row("kestrel").getByText(/not the configured one/)).toBeTruthy();
  expect(row("aurora-1").getByRole("link", { name: "version 2" }).getAttribute("href")).toBe(
    "/admin/dictionaries?mission=aurora-1",
  );
});

test("the hub says who leads, how its database is, whom it trusts and where nodes find it", async () => {
  await open("hub");
  const hub = within(screen.getByRole("region", { name: "Hub" }));
  for (const text of [
    /hub-a leads|leader/,
    /PostgreSQL 17.6/,
    "7f3a9c55e1d04b7e",
    "10.0.4.12:4433",
    "streaming",
  ])
    expect(hub.getAllByText(text).length).toBeGreaterThan(0);
});

const file = (text: string, name = "aurora.xml") => new File([text], name, { type: "text/xml" });

async function chooseFile(text: string) {
  await user().click(screen.getByRole("button", { name: "Import a version" }));
  await user().upload(dialog().getByLabelText("XTCE file"), file(text));
  await advance(500);
}

test("a dictionary is imported in two steps: what it would change, then the act", async () => {
  const { world } = await open("dictionaries");
  await chooseFile("<SpaceSystem/>");
  await user().type(dialog().getByRole("textbox", { name: /^In force from, UTC/ }), "2026-12-01 12:00");
  await user().click(dialog().getByRole("button", { name: "Show what it would change" }));
  await advance(500);
  expect(world.requests.at(-1)).toContain("dry_run=true");
  expect(world.requests.at(-1)).toContain("effective_from=2026-12-01T12%3A00%3A00.000Z");
  expect(dialog().getByText(/It would be version 3.*200 parameters before, 201 after/)).toBeTruthy();
  expect(dialog().getByText("/aurora/eps/<b>odd</b>")).toBeTruthy();
  expect(dialog().getByText(/float \(A\) → integer \(mA\)/)).toBeTruthy();
  await user().click(dialog().getByRole("button", { name: "Import it" }));
  await advance(1500);
  expect(world.requests.some((request) => request.includes("dry_run=false"))).toBe(true);
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.getByRole("link", { name: "Download version 3" })).toBeTruthy();
});

test("what was tried is not imported after something else was chosen", async () => {
  await open("dictionaries");
  await chooseFile("<SpaceSystem/>");
  await user().click(dialog().getByRole("button", { name: "Show what it would change" }));
  await advance(500);
  await user().type(dialog().getByLabelText("Why"), "x");
  expect(dialog().queryByRole("button", { name: "Import it" })).toBeNull();
});

test("an error of a dictionary is shown with its line and column", async () => {
  await open("dictionaries");
  await chooseFile("<SpaceSystem>\n  <bad/>\n</SpaceSystem>");
  await user().click(dialog().getByRole("button", { name: "Show what it would change" }));
  await advance(500);
  expect(dialog().getByRole("alert").textContent).toContain("aurora.xml:2:3");
});

test("a dictionary that says the same is not imported, and a wrong time is said", async () => {
  await open("dictionaries");
  await chooseFile("<same/>");
  await user().type(dialog().getByLabelText(/^In force from/), "tomorrow");
  expect(dialog().getByText("Write the time as 2026-11-22T12:00:00Z.")).toBeTruthy();
  await user().clear(dialog().getByLabelText(/^In force from/));
  await user().click(dialog().getByRole("button", { name: "Show what it would change" }));
  await advance(500);
  const submit = dialog().getByRole("button", { name: "Import it" });
  expect([submit.getAttribute("aria-disabled"), submit.title]).toEqual([
    "true",
    "Version 2 says the same: there is nothing to import.",
  ]);
});

test("who may not administer sees why, and nothing of it is asked for", async () => {
  const { world, router } = await open("nodes", { role: "viewer" });
  expect(screen.getByText(/Only operators may do this/)).toBeTruthy();
  const button = screen.getByRole("button", { name: "New enrolment token" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await user().click(button);
  expect(screen.queryByRole("dialog")).toBeNull();
  for (const section of ["api-tokens", "people", "missions", "hub"] as const) {
    await router.navigate({ to: "/admin/$section", params: { section } });
    await advance(500);
  }
  const asked = world.requests.filter((request) => /tokens|people|\/hub/.test(request));
  expect(asked).toEqual([]);
});

test("at a station the page says that this is done at the hub", async () => {
  await open("hub", { kind: "edge" });
  expect(screen.getByText("This is done at the hub; a station has none of it.")).toBeTruthy();
});

test("an address that names no part leads to the first one", async () => {
  const { router } = await open("nothing");
  expect(router.state.location.pathname).toBe("/admin/nodes");
});
