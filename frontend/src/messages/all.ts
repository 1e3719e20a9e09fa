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
import { words as deWho } from "./de/who.ts";
import { words as deList } from "./de/list.ts";
import { words as dePlace } from "./de/place.ts";
import { words as dePeople } from "./de/people.ts";
import { words as deStart } from "./de/start.ts";
import { words as deTemplates } from "./de/templates.ts";
import { words as enWho } from "./en/who.ts";
import { words as enList } from "./en/list.ts";
import { words as enPlace } from "./en/place.ts";
import { words as enPeople } from "./en/people.ts";
import { words as enStart } from "./en/start.ts";
import { words as enTemplates } from "./en/templates.ts";
import { words as frWho } from "./fr/who.ts";
import { words as frList } from "./fr/list.ts";
import { words as frPlace } from "./fr/place.ts";
import { words as frPeople } from "./fr/people.ts";
import { words as frStart } from "./fr/start.ts";
import { words as frTemplates } from "./fr/templates.ts";

export const ENGLISH = { ...enDoor, ...enFirst, ...enHistory, ...enPoints, ...enSettings, ...enWho, ...enList, ...enPlace, ...enPeople, ...enStart, ...enTemplates };
export const GERMAN = { ...deDoor, ...deFirst, ...deHistory, ...dePoints, ...deSettings, ...deWho, ...deList, ...dePlace, ...dePeople, ...deStart, ...deTemplates };
export const FRENCH = { ...frDoor, ...frFirst, ...frHistory, ...frPoints, ...frSettings, ...frWho, ...frList, ...frPlace, ...frPeople, ...frStart, ...frTemplates };
