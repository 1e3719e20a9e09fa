/** Every language as a whole: for the check at build and for tests, never loaded by a page. */

import { words as deDoor } from "./de/door.ts";
import { words as deFirst } from "./de/first.ts";
import { words as deHistory } from "./de/history.ts";
import { words as dePoints } from "./de/points.ts";
import { words as deSettings } from "./de/settings.ts";
import { words as enDoor } from "./en/door.ts";
import { words as enFirst } from "./en/first.ts";
import { words as enHistory } from "./en/history.ts";
import { words as enPoints } from "./en/points.ts";
import { words as enSettings } from "./en/settings.ts";
import { words as frDoor } from "./fr/door.ts";
import { words as frFirst } from "./fr/first.ts";
import { words as frHistory } from "./fr/history.ts";
import { words as frPoints } from "./fr/points.ts";
import { words as frSettings } from "./fr/settings.ts";

export const ENGLISH = { ...enDoor, ...enFirst, ...enHistory, ...enPoints, ...enSettings };
export const GERMAN = { ...deDoor, ...deFirst, ...deHistory, ...dePoints, ...deSettings };
export const FRENCH = { ...frDoor, ...frFirst, ...frHistory, ...frPoints, ...frSettings };
