export default {
  input: "openapi.json",
  output: "generated/client",
  plugins: ["@hey-api/client-fetch"],
};
