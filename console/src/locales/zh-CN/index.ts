import admin from "./admin";
import cases from "./cases";
import desk from "./desk";
import integration from "./integration";
import knowledge from "./knowledge";
import shell from "./shell";

export default { ...shell, ...desk, ...admin, ...cases, ...knowledge, ...integration } as const;
