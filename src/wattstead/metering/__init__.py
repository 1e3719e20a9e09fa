"""The words of the trade: frozen structs and pure functions over readings; no input or output."""
