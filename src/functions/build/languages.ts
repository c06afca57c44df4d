import { nodeLanguage } from "../languages/node/node-language.ts";
import { pythonLanguage } from "../languages/python/python-language.ts";
import type { Language } from "./language.ts";

/** In the order in which a folder is asked; the first that finds its own wins. */
export const languages: readonly Language[] = [nodeLanguage, pythonLanguage];
