LIST_CLASSICS: list = []
