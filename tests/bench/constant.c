/*
 * The ceiling: a FastCGI program that answers a constant. What voice-inbound
 * does beside it is our own work.
 */

#include <fcgiapp.h>

int
main(void)
{
	static const char answer[] =
	    "Status: 200\r\n"
	    "Content-Type: text/xml\r\n\r\n"
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response/>\n";
	FCGX_Request request;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutStr(answer, sizeof answer - 1, request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
