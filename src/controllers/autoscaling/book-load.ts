import { noteLoad, wantsMore, type LoadBook } from "../../scaling/load-book.ts";
import type { LoadSink } from "./load-server.ts";

/** A sink whose reports are also written into a book, those of revisions that somebody else scales among them. */
export function bookLoad(sink: LoadSink, book: LoadBook, nowMs: () => number): LoadSink {
  return {
    demand: (revision, waiting, atMs, ready) => sink.demand(revision, waiting, atMs, ready),
    samples(samples, atMs) {
      for (const sample of samples) noteLoad(book, sample, atMs);
      sink.samples(samples, atMs);
    },
    remember: (history, atMs) => sink.remember(history, atMs),
    wantsSamples: (revision) => [sink.wantsSamples(revision), wantsMore(book, revision, nowMs())].includes(true),
  };
}
