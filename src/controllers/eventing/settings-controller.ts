/** Tells of what is set in ConfigMaps of knative-eventing and has no effect here: by a Warning on the map. */
import { ConfigMapKind } from "../../api/core/kinds.ts";
import { remarksOnConfigMap } from "../../api/eventing/config-maps.ts";
import type { ControllerSpec } from "../../client/controller.ts";
import { selfKey, watching } from "../../client/keys.ts";
import type { EventingDeps } from "./deps.ts";

export function settingsController({ informers, recorder }: EventingDeps): ControllerSpec {
  const maps = informers.of(ConfigMapKind);
  /** What was told of each map, so that one that stays as it is is told of once. */
  const told = new Map<string, string>();
  return {
    name: "eventing-settings",
    watches: [watching(ConfigMapKind, selfKey)],
    reconcile(key) {
      const map = maps.get(key);
      const message = map ? remarksOnConfigMap(map).join("; ") : "";
      if (map && message !== "" && told.get(key) !== message)
        recorder.record({ kind: ConfigMapKind, object: map, type: "Warning", reason: "SettingIgnored", message });
      if (message === "") told.delete(key);
      else told.set(key, message);
      return Promise.resolve();
    },
  };
}
