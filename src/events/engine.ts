export type { ConsumerSpec, EventEngine, EventTarget, StreamSpec } from "../api/eventing/engine.ts";
