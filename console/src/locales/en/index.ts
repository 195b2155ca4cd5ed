import type zhCN from "../zh-CN";
import admin from "./admin";
import cases from "./cases";
import desk from "./desk";
import integration from "./integration";
import knowledge from "./knowledge";
import shell from "./shell";

type Same<T> = { [K in keyof T]: T[K] extends string ? string : Same<T[K]> };

const en: Same<typeof zhCN> = { ...shell, ...desk, ...admin, ...cases, ...knowledge, ...integration };
export default en;
