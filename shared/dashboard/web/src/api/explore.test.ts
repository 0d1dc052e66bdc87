import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Statistics } from "../types";
import { statisticsQuery } from "./explore";

const asking = (mission: string, parameter: string, windowName: string) => ({
  ...statisticsQuery({
    mission,
    parameter,
    window: () => ({ from: 0, to: 60_000 }),
    windowName,
    isLive: false,
  }),
  // What is in the cache counts, and nobody is asked.
  enabled: false,
});

test("the numbers before stand in for the next range, but not for another parameter or mission", () => {
  const client = new QueryClient();
  const known = { parameter: "/eps/volts" } as Statistics;
  client.setQueryData(asking("aurora-1", "/eps/volts", "first").queryKey, known);
  const shown = (mission: string, parameter: string) => {
    const observer = new QueryObserver(client, asking("aurora-1", "/eps/volts", "first"));
    const stop = observer.subscribe(() => {});
    observer.setOptions(asking(mission, parameter, "second"));
    const { data } = observer.getCurrentResult();
    stop();
    return data;
  };
  expect(shown("aurora-1", "/eps/volts")).toEqual(known);
  expect(shown("aurora-1", "/eps/amps")).toBeUndefined();
  expect(shown("kestrel", "/eps/volts")).toBeUndefined();
});
