import admin from "./admin";
import desk from "./desk";
import shell from "./shell";

export default { ...shell, ...desk, ...admin } as const;
