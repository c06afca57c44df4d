import { constants, type Http2Stream } from "node:http2";
import { type Pair, toHeaderObject } from "./forward-pairs.ts";

/** Ends a stream with its trailers; ones that HTTP/2 does not allow end it as an error, since some would be missing. */
export function sendTrailers(stream: Http2Stream, trailers: readonly Pair[]): void {
  try {
    stream.sendTrailers(toHeaderObject(trailers));
  } catch {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}
