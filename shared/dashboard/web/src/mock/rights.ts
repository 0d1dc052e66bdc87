// Whom the mock lets administer: operators of all missions, at the hub.
import { problem } from "./answers";
import type { MockWorld } from "./world";

export function refusedAdministration(world: MockWorld): Response | null {
  const { role, server } = world.session();
  if (role !== "operator")
    return problem(403, "STO-API-FORBIDDEN", "Not allowed", "only operators of all missions administer");
  if (server.kind === "edge")
    return problem(409, "STO-ADMIN-ELSEWHERE", "This is administered at the hub", "only the hub does this");
  return null;
}
