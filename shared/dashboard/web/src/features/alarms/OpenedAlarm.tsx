// Fetches the alarm that is opened, and sends what is done about it.
import { useQuery } from "@tanstack/react-query";
import { alarmQuery } from "../../api/alarms";
import { parametersQuery } from "../../api/queries";
import { useFrame } from "../../live/hooks";
import { useLoggedIn, useRefusal } from "../../session/access";
import { Failure, Loading } from "../../shell/Notice";
import type { AlarmAct } from "../../types";
import { AlarmDetail } from "./AlarmDetail";
import { newActId } from "./alarm";
import { LiveValue } from "./LiveValue";
import { Messages } from "./Messages";
import { useAct } from "./useActs";
import { usePassEnd } from "./usePassEnd";
import { useSites } from "./useSites";

interface Props {
  mission: string;
  alarm: string;
  onClose: () => void;
}

export function OpenedAlarm({ mission, alarm, onClose }: Props) {
  const { serverNow } = useFrame();
  const { session } = useLoggedIn();
  const mayNot = useRefusal("operate");
  const found = useQuery(alarmQuery(mission, alarm));
  const parameters = useQuery(parametersQuery(mission));
  const acting = useAct(mission, alarm);
  const siteOf = useSites();
  const passEnd = usePassEnd([{ mission, node: found.data?.alarm.node }], serverNow);
  if (found.data === undefined)
    return found.isError ? <Failure error={found.error} /> : <Loading what="the alarm" />;
  const { parameter, node } = found.data.alarm;
  return (
    <AlarmDetail
      mission={mission}
      history={found.data}
      unit={parameters.data?.find((one) => one.name === parameter)?.unit ?? null}
      passEnd={passEnd}
      serverNow={serverNow}
      me={session.principal}
      refusal={mayNot ?? (acting.isPending ? "The last act is on its way." : null)}
      error={acting.error ?? (found.isError ? found.error : null)}
      siteOf={siteOf}
      liveValue={node ? null : <LiveValue mission={mission} parameter={parameter} />}
      messages={
        session.server.kind === "hub" ? (
          <Messages mission={mission} alarm={alarm} serverNow={serverNow} />
        ) : null
      }
      onAct={(act, note, onDone) => {
        // Perhaps only the answer was lost: the same again is the same act, not a second one.
        const { error, variables: last } = acting;
        const isSame = error !== null && last?.note === note && isEqual(last.act, act);
        acting.mutate({ act, note, id: isSame ? last.id : newActId(), onDone });
      }}
      onRetry={() => {
        if (acting.isError) acting.mutate(acting.variables);
        else void found.refetch();
      }}
      onClose={onClose}
    />
  );
}

function isEqual(a: AlarmAct, b: AlarmAct): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
