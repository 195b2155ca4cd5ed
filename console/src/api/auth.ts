import { call, get, post, remove } from "./http";
import type { DeviceView, MeView, Page, TokenView } from "./types";

export const login = (username: string, password: string) =>
  call<TokenView>("POST", "/auth/login", { body: { username, password }, isOpen: true });
export const logout = () => post<undefined>("/auth/logout");
export const me = () => get<MeView>("/auth/me");
export const changePassword = (old: string, new_: string) => post<undefined>("/auth/password", { old, new: new_ });
export const devices = () => get<Page<DeviceView>>("/auth/devices");
export const revokeDevice = (id: string) => remove(`/auth/devices/${id}`);
