import { binaryLanguage } from "../languages/binary/binary-language.ts";
import { goLanguage } from "../languages/go/go-language.ts";
import { javaLanguage } from "../languages/java/java-language.ts";
import { nodeLanguage } from "../languages/node/node-language.ts";
import { pythonLanguage } from "../languages/python/python-language.ts";
import { rustLanguage } from "../languages/rust/rust-language.ts";
import { shellLanguage } from "../languages/shell/shell-language.ts";
import { staticLanguage } from "../languages/static/static-language.ts";
import type { Language } from "./language.ts";

/** In the order in which a folder is asked and candidates are shown. */
export const languages: readonly Language[] = [
  nodeLanguage,
  pythonLanguage,
  goLanguage,
  rustLanguage,
  javaLanguage,
  binaryLanguage,
  shellLanguage,
  staticLanguage,
];
