import js from "@eslint/js";
import vue from "eslint-plugin-vue";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["node_modules/", "src/api/schema.d.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...vue.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ["**/*.ts", "**/*.vue"],
    rules: {
      "no-undef": "off",
      "no-console": "error",
      "max-lines": ["error", { max: 400, skipBlankLines: false }],
      "vue/multi-word-component-names": "error",
      "vue/component-api-style": ["error", ["script-setup"]],
      "vue/no-v-html": "error",
      "vue/max-attributes-per-line": "off",
      "vue/singleline-html-element-content-newline": "off",
      "vue/html-self-closing": "off",
      "vue/html-indent": "off",
      "vue/html-closing-bracket-newline": "off",
      "vue/multiline-html-element-content-newline": "off",
      "vue/first-attribute-linebreak": "off",
      "vue/require-default-prop": "off",
      "vue/attributes-order": "off",
      "vue/require-explicit-emits": "error",
      "vue/no-undef-components": ["error", { ignorePatterns: ["RouterView", "RouterLink"] }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
);
