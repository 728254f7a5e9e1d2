"""The doctor's checks of this app: the problems that each can find, its query and its fixes."""
