import admin from "./admin";
import cases from "./cases";
import desk from "./desk";
import shell from "./shell";

export default { ...shell, ...desk, ...admin, ...cases } as const;
