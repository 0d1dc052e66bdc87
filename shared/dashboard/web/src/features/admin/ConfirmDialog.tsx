// Asks once more before something ends that cannot be begun again.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { FormDialog } from "./FormDialog";

interface Props {
  title: string;
  text: string;
  submit: string;
  act: () => Promise<unknown>;
  /** The list that is another one afterwards. */
  list: readonly string[];
  onClose: () => void;
}

export function ConfirmDialog({ title, text, submit, act, list, onClose }: Props) {
  const queries = useQueryClient();
  const doing = useMutation({
    mutationFn: act,
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: list });
    },
  });
  return (
    <FormDialog
      title={title}
      submit={submit}
      refusal={null}
      busy={doing.isPending}
      error={doing.error}
      onSubmit={() => doing.mutate()}
      onClose={onClose}
    >
      <p>
        <bdi>{text}</bdi>
      </p>
    </FormDialog>
  );
}
