import { ElMessageBox } from "element-plus";

import { t } from "@/locales";

/** True when the person agreed. */
export async function confirmed(question: string, hint = "", verb = t("action.confirm")): Promise<boolean> {
  const options = { confirmButtonText: verb, cancelButtonText: t("action.cancel") };
  return ElMessageBox.confirm(hint || question, hint ? question : "", options).then(
    () => true,
    () => false,
  );
}
