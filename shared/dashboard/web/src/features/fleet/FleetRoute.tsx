// The fleet page and its address.
import { getRouteApi } from "@tanstack/react-router";
import { FleetPage } from "./FleetPage";
import { fleetSearch } from "./search";

const route = getRouteApi("/fleet");

export function FleetRoute() {
  const navigate = route.useNavigate();
  return (
    <FleetPage
      search={route.useSearch()}
      onSearch={(changes) =>
        void navigate({
          search: ({ t }) => ({ ...(t === undefined ? {} : { t }), ...fleetSearch(changes) }),
          replace: true,
        })
      }
    />
  );
}
