/** The emoji that servicers use; WeChat shows Unicode emoji as they are. */
const FACES = "😀 😃 😄 😁 😆 😅 😂 🙂 😉 😊 😇 🥰 😍 😘 😋 😜 🤗 🤔 🤫 😐 😑 😏 😒 🙄 😌 😔 😪 😴 😷 🤒 🤧 😎 🤓 😕 🙁 😮 😯 😲 😳 🥺 😥 😢 😭 😱 😖 😓 😩 😤 😡 🤝";
const HANDS = "👍 👎 👌 ✌️ 🤞 👏 🙌 🙏 💪 👋 🤙 ☝️ 👆 👇 👉 👈 ✊ 👊";
const THINGS = "❤️ 💔 💯 ✅ ❌ ❗ ❓ ⚠️ ⏰ ⏳ 📌 📎 📄 📞 📱 💻 🖨️ 🔑 🔒 🔧 🎉 🌹 ☕ 🍵 🌞 🌙 ⭐ 🔥 💊 💉 🩺 🏥";

export const EMOJI: readonly string[] = `${FACES} ${HANDS} ${THINGS}`.split(" ");
