// Reads a list that the server gives by pages, and goes on while more is wanted.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";

export interface PageOf<Row> {
  rows: readonly Row[];
  next: string | null;
}

interface Asked<Row> {
  queryKey: readonly unknown[];
  load: (cursor: string | null) => Promise<PageOf<Row>>;
  /** Rows at which reading ends, so that a long range cannot fill the memory. */
  rowsMax: number;
  /** Whether the next page is read without being asked for, given what is here. */
  goOn: (rows: readonly Row[]) => boolean;
  /** How long what nobody shows is kept, milliseconds. */
  keptMs?: number;
  enabled?: boolean;
}

export interface Pages<Row> {
  rows: readonly Row[];
  /** The same rows, page by page. */
  pages: readonly (readonly Row[])[];
  /** Nothing is here yet. */
  isPending: boolean;
  isLoading: boolean;
  error: unknown;
  /** The list goes on behind these rows. */
  hasMore: boolean;
  /** No more is read, although there is more. */
  isFull: boolean;
  readMore: () => void;
  retry: () => void;
}

const NONE: readonly never[] = [];

export function usePages<Row>(asked: Asked<Row>): Pages<Row> {
  const { queryKey, load, rowsMax, goOn, keptMs = 30_000, enabled = true } = asked;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: keptMs,
    structuralSharing: false,
    enabled,
  });
  const { data, hasNextPage, isFetching, isError, isFetchNextPageError, fetchNextPage } = query;
  const pages = useMemo(() => data?.pages.map((page) => page.rows) ?? NONE, [data]);
  const rows = useMemo(() => pages.flat(), [pages]);
  const isFull = rows.length >= rowsMax;
  const isWanted = hasNextPage && !isFull && !isFetching && !isError;
  const goesOn = isWanted && goOn(rows);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page may come before it was rendered that it is awaited.
  useEffect(() => {
    if (goesOn) void fetchNextPage();
  }, [goesOn, data, fetchNextPage]);
  return {
    rows,
    pages,
    isPending: query.isPending && enabled,
    isLoading: isFetching,
    error: isError ? query.error : null,
    hasMore: hasNextPage,
    isFull: isFull && hasNextPage,
    readMore: () => {
      if (isWanted) void fetchNextPage();
    },
    retry: () => void (isFetchNextPageError ? fetchNextPage() : query.refetch()),
  };
}

/** Reads the next page as long as more is wanted than is here. */
export function useReadOn(
  { pages, isLoading, readMore }: Omit<Pages<unknown>, "rows">,
  isWanted: boolean,
): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page may bring nothing of what is wanted.
  useEffect(() => {
    if (isWanted && !isLoading) readMore();
  }, [isWanted, isLoading, pages]);
}
