import admin from "./admin";
import cases from "./cases";
import desk from "./desk";
import knowledge from "./knowledge";
import shell from "./shell";

export default { ...shell, ...desk, ...admin, ...cases, ...knowledge } as const;
