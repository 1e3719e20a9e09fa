import { expect, it } from "vitest";

import { browserName } from "./agent";

it("calls browsers as people do", () => {
  expect(browserName("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")).toBe("Firefox, Linux");
  expect(browserName("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Safari/604.1")).toBe("Safari, iPhone");
  expect(browserName("curl/8.5.0")).toBe("curl");
  expect(browserName("")).toBe("");
});
