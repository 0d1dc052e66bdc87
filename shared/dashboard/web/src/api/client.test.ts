import { afterEach, expect, test, vi } from "vitest";
import { explain, ProblemError, request, UnreachableError } from "./client";

afterEach(() => {
  vi.unstubAllGlobals();
});

async function failure(answer: () => Promise<Response>): Promise<unknown> {
  vi.stubGlobal("fetch", answer);
  return request("GET", "/api/v1/nodes").catch((error: unknown) => error);
}

test("a problem body is kept as the server wrote it", async () => {
  const body = {
    type: "t",
    title: "No such mission",
    status: 404,
    code: "STO-API-UNKNOWN-MISSION",
    detail: "Look it up.",
  };
  const error = await failure(async () => new Response(JSON.stringify(body), { status: 404 }));
  expect(explain(error)).toEqual({
    title: "No such mission",
    detail: "Look it up.",
    code: "STO-API-UNKNOWN-MISSION",
  });
});

test("a detail that begins in lower case stands as a sentence", async () => {
  const body = { title: "the code is not valid", detail: "make a new one with `cloud-hub login-code`" };
  const error = await failure(async () => new Response(JSON.stringify(body), { status: 401 }));
  expect(explain(error)).toMatchObject({
    title: "The code is not valid",
    detail: "Make a new one with `cloud-hub login-code`",
  });
});

test.each([
  ["the range is empty", "The range is empty"],
  ["refused: the hub has it already", "Refused: the hub has it already"],
  ["nothing, as far as is known", "Nothing, as far as is known"],
  ["it's closed", "It's closed"],
  ["öffne die Datei", "Öffne die Datei"],
  ["stopped", "Stopped"],
  ["stopped.", "Stopped."],
])("a plain word begins a sentence: %s", (detail, shown) => {
  const error = new ProblemError({ type: "t", title: detail, status: 400, code: "C", detail });
  expect(explain(error)).toMatchObject({ title: shown, detail: shown });
});

test.each([
  "limits.toml:3:1: unknown key `hihg`",
  "aurora.xml could not be read",
  "/var/lib/hub is full",
  "eps/battery_voltage has no limits",
  "effective_from is not a time",
  "kiruna-1 has not answered",
  "k3s has no such node",
  "gRPC is not configured",
  "iPXE",
  "`of` is missing",
  "12 parameters are unknown",
  "the_range",
  "",
])("a name stays as it is written: %s", (detail) => {
  const error = new ProblemError({ type: "t", title: detail, status: 400, code: "C", detail });
  expect(explain(error)).toMatchObject({ title: detail, detail });
});

test("an answer that is no problem body is still explained", async () => {
  const error = await failure(async () => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  expect(error).toBeInstanceOf(ProblemError);
  expect(explain(error)).toMatchObject({ title: "The server answered 502 Bad Gateway", code: "HTTP-502" });
});

test("no answer is told apart from a refusal", async () => {
  const error = await failure(() => Promise.reject(new TypeError("fetch failed")));
  expect(error).toBeInstanceOf(UnreachableError);
  expect(explain(error).title).toBe("No answer from the server");
});

test("unsafe methods carry the header that a foreign page cannot send", async () => {
  const fetch = vi.fn(async (_path: string, _init: RequestInit) => new Response(null, { status: 204 }));
  vi.stubGlobal("fetch", fetch);
  await request("DELETE", "/api/v1/session");
  await request("GET", "/api/v1/session").catch(() => null);
  const headers = fetch.mock.calls.map(([, init]) => new Headers(init.headers).get("x-sto-request"));
  expect(headers).toEqual(["dashboard", null]);
});
