// The pages of stations and their addresses. A station alone has one node, so its page stands for the list.
import { getRouteApi } from "@tanstack/react-router";
import { useLoggedIn } from "../../session/access";
import { NodePage } from "./NodePage";
import { StationsPage } from "./StationsPage";
import { nodesSearch } from "./search";

const nodes = getRouteApi("/nodes");
const node = getRouteApi("/nodes/$node");

export function NodesRoute() {
  const { server } = useLoggedIn().session;
  const { q = "", sort = "site", tab = "health" } = nodes.useSearch();
  const navigate = nodes.useNavigate();
  if (server.kind === "edge") return <NodePage name={server.name} tab={tab} />;
  return (
    <StationsPage
      q={q}
      sort={sort}
      onSearch={(changes) =>
        void navigate({
          search: ({ t }) => ({ ...(t === undefined ? {} : { t }), ...nodesSearch(changes) }),
          replace: true,
        })
      }
    />
  );
}

export function NodeRoute() {
  const { node: name } = node.useParams();
  return <NodePage key={name} name={name} tab={node.useSearch().tab ?? "health"} />;
}
