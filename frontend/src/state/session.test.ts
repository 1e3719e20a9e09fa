import { expect, it, vi } from "vitest";

import { Refused } from "../api/client";
import * as questions from "../api/questions";
import type { Session } from "../api/types";
import { enter, knowSession, session } from "./session";

it("leaves signed in who signs in while the server is still asked who is there", async () => {
  let late: (error: Refused) => void = () => undefined;
  const told = { email: "a@example.org" } as Session;
  vi.spyOn(questions, "askSession").mockReturnValue(new Promise((_, reject) => (late = reject)));
  vi.spyOn(questions, "signIn").mockResolvedValue(told);
  const asked = knowSession();
  await enter("a@example.org", "secret");
  late(new Refused(401, "Sign in first", "", "", 0, { title: "", status: 401 }));
  expect(await asked).toEqual(told);
  expect(session.value).toEqual(told);
});
